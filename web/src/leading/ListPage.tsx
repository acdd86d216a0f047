/** A page that is one list: its heading, what it is for, what went wrong, the rows, and the way to more of them. */
import { useLingui } from "@lingui/react/macro";
import type { ReactNode } from "react";
import { Button } from "../components/Button.tsx";
import { Notice } from "../components/Notice.tsx";
import { Skeleton } from "../components/Skeleton.tsx";
import type { Listed } from "../data/answers.ts";
import { useTitle } from "../pages/useTitle.ts";
import { problemWords } from "../words/problems.ts";
import "./leading.css";

interface ListPageProps<Item> {
  title: string;
  purpose: string;
  listed: Listed<Item>;
  /** What stands there when the list is empty. */
  empty: ReactNode;
  label: string;
  name: string;
  row: (item: Item) => ReactNode;
}

export function ListPage<Item>({ title, purpose, listed, empty, label, name, row }: ListPageProps<Item>) {
  const { t, i18n } = useLingui();
  const { items, more, loadMore, problem } = listed;
  useTitle(title);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard.
    <div className="leading-scroll" tabIndex={0}>
      <div className="leading-page">
        <header className="leading-top">
          <h1>{title}</h1>
        </header>
        <div className="leading-main">
          <p className="leading-note">{purpose}</p>
          {problem && (
            <Notice tone="brick" urgent>
              {i18n._(problemWords(problem))}
            </Notice>
          )}
          {items === null ? (
            !problem && <Skeleton shape="rows" label={t`The list is on its way`} />
          ) : items.length === 0 ? (
            empty
          ) : (
            <section className="leading-card" aria-label={label}>
              <ul className="history" data-testid={name}>
                {items.map(row)}
              </ul>
            </section>
          )}
          {more && <Button look="soft" onPress={loadMore} data-testid={`more-${name}`}>{t`Show more`}</Button>}
        </div>
      </div>
    </div>
  );
}
