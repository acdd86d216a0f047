/**
 * One of a few. The browser's own list, because it is the one every phone makes big enough, and each entry may carry
 * its own language.
 */
import { useId } from "react";
import { Icon } from "./Icon.tsx";
import "./choice.css";

export type ChoiceProps<T extends string> = {
  label: string;
  /** Read aloud only; the entry chosen says enough to the eye. */
  labelUnseen?: boolean;
  value: T;
  options: readonly { value: T; text: string; language?: string }[];
  onChange(value: T): void;
  disabled?: boolean;
  look?: "field" | "quiet";
  /** Stands there while the list is closed, where the entry itself would say too much. */
  brief?: string;
  help?: string;
  error?: string;
  "data-testid"?: string;
};

export function Choice<T extends string>(props: ChoiceProps<T>) {
  const id = useId();
  const said = [props.help && `${id}-help`, props.error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={`choice choice-${props.look ?? "field"}`}>
      <label className={props.labelUnseen ? "unseen" : "choice-label"} htmlFor={id}>
        {props.label}
      </label>
      <span className="choice-box" data-brief={props.brief ? true : undefined}>
        {props.brief && (
          <span className="choice-brief" aria-hidden="true">
            {props.brief}
          </span>
        )}
        <select
          id={id}
          className="choice-list"
          value={props.value}
          disabled={props.disabled ?? false}
          aria-describedby={said || undefined}
          data-testid={props["data-testid"]}
          onChange={(event) => props.onChange(event.target.value as T)}
        >
          {props.options.map((option) => (
            <option key={option.value} value={option.value} lang={option.language}>
              {option.text}
            </option>
          ))}
        </select>
        <Icon name="down" />
      </span>
      {props.help && (
        <p id={`${id}-help`} className="choice-help">
          {props.help}
        </p>
      )}
      {props.error && (
        <p id={`${id}-error`} className="choice-error" role="alert">
          {props.error}
        </p>
      )}
    </div>
  );
}
