/** Names the page in the browser's tab and in what a screen reader says first. */
import { useEffect } from "react";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? "Bookbag" : `${title} · Bookbag`;
  }, [title]);
}
