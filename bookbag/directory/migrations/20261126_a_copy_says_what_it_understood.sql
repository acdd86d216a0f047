-- The fields of facts that whoever made this copy knew. A release that knows more of them loads the copy anew.
alter table feed_state add column understood text[] not null default '{}';
