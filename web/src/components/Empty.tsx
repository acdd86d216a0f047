/** What will appear in an empty place, and the one thing to do next. */
import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon.tsx";
import "./empty.css";

export function Empty({
  icon,
  title,
  children,
  action,
}: {
  icon: IconName;
  title: string;
  children: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="empty">
      <span className="empty-picture">
        <Icon name={icon} />
      </span>
      <h2 className="empty-title">{title}</h2>
      <p className="empty-words">{children}</p>
      {action}
    </div>
  );
}
