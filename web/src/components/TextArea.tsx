/** Several lines that grow with what is typed, up to a third of the screen. */
import { type KeyboardEvent, type Ref, useImperativeHandle, useLayoutEffect, useRef } from "react";
import "./text-area.css";

export type TextAreaProps = {
  label: string;
  value: string;
  onChange(value: string): void;
  onKeyDown?(event: KeyboardEvent<HTMLTextAreaElement>): void;
  placeholder?: string;
  language?: string;
  describedBy?: string | undefined;
  invalid?: boolean;
  disabled?: boolean;
  ref?: Ref<HTMLTextAreaElement>;
  "data-testid"?: string;
};

export function TextArea({
  label,
  value,
  onChange,
  language,
  describedBy,
  invalid = false,
  ref,
  ...rest
}: TextAreaProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  useImperativeHandle(ref, () => area.current as HTMLTextAreaElement, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the value.
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.blockSize = "auto";
    element.style.blockSize = `${element.scrollHeight + 2}px`;
  }, [value]);

  return (
    <textarea
      {...rest}
      ref={area}
      rows={1}
      dir={value === "" ? undefined : "auto"}
      lang={language}
      className="text-area"
      aria-label={label}
      aria-describedby={describedBy}
      aria-invalid={invalid || undefined}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
