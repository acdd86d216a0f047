/** A few sentences that matter now, with at most one thing to do about them. */
import type { ReactNode } from "react";
import "./notice.css";

export type NoticeProps = {
  tone: "sky" | "marigold" | "brick" | "green";
  title?: string;
  children: ReactNode;
  action?: ReactNode;
  /** Read aloud at once. */
  urgent?: boolean;
};

export function Notice({ tone, title, children, action, urgent = false }: NoticeProps) {
  return (
    <div className={`notice notice-${tone}`} role={urgent ? "alert" : undefined}>
      {title && <p className="notice-title">{title}</p>}
      <div>{children}</div>
      {action && <div className="notice-action">{action}</div>}
    </div>
  );
}
