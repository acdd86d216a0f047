/** Two letters of a name on a soft disc; decoration, the name always stands beside it. */
import "./avatar.css";

export function initials(name: string): string {
  const parts = name
    .replace(/^(ms|mr|mrs|miss|mx|dr)\.?\s+/i, "")
    .split(/\s+/)
    .filter((part) => /^\p{L}/u.test(part));
  const first = parts[0] ?? "";
  const last = parts.length > 1 ? (parts.at(-1) ?? "") : "";
  return ([...first][0] ?? "") + ([...last][0] ?? "");
}

export function Avatar({ name, large = false }: { name: string; large?: boolean }) {
  return (
    <span className={large ? "avatar avatar-large" : "avatar"} aria-hidden="true">
      {initials(name).toLocaleUpperCase()}
    </span>
  );
}
