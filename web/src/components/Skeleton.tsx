/** Rows in the shape of what is coming; still, so that nothing flickers on a slow phone. */
import "./skeleton.css";

const rows = ["a", "b", "c", "d"];

export function Skeleton({ shape, label }: { shape: "rows" | "bubbles"; label: string }) {
  return (
    <div className={`skeleton skeleton-${shape}`} role="status">
      <span className="unseen">{label}</span>
      {rows.map((row) => (
        <div key={row} className="skeleton-row" aria-hidden="true" />
      ))}
    </div>
  );
}
