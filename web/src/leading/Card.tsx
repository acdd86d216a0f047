/** One titled part of a page for leaders. */
import type { ReactNode } from "react";

export function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="leading-card" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
