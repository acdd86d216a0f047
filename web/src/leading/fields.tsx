/** What is typed in one line: a number, a day, a name. */

export function NumberField(props: { label: string; value: number; most: number; onChange(value: number): void }) {
  return (
    <label className="leading-field">
      <span>{props.label}</span>
      <input
        type="number"
        className="hours-time"
        min={1}
        max={props.most}
        value={props.value}
        onChange={(event) => event.target.valueAsNumber >= 1 && props.onChange(event.target.valueAsNumber)}
      />
    </label>
  );
}

export function DateField({ label, value, onChange }: { label: string; value: string; onChange(value: string): void }) {
  return (
    <input
      type="date"
      className="hours-time"
      aria-label={label}
      value={value}
      onChange={(event) => event.target.value && onChange(event.target.value)}
    />
  );
}

export function NameField({ label, value, onChange }: { label: string; value: string; onChange(value: string): void }) {
  return (
    <input
      type="text"
      className="hours-time leading-name"
      aria-label={label}
      maxLength={200}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
