// What docs/operations.md says of one daemon, and what its sources have, to be held against each other.
import { globSync, readFileSync } from 'node:fs';
import { codeSpans, projectDirectory, readPage, tableRows } from './markdown.ts';

/** The section of docs/operations.md with a heading, up to the next one of its kind. */
export function sectionOf(heading: string): string {
	const sections = readPage('docs/operations.md').split(/^## /m);
	return sections.find((section) => section.startsWith(`${heading}\n`)) ?? '';
}

/** The code spans in the first column of the tables with a heading; one that continues the one before is completed. */
export function firstColumn(section: string, heading: string): string[] {
	return tableRows(section, heading).flatMap(([cell]) => {
		const spans = codeSpans(cell);
		return spans.map((span) => (span.startsWith('…') ? completed(spans[0] ?? '', span.slice(1)) : span));
	});
}

/** `sent_messages` and `_dropped` is `sent_dropped`. */
function completed(first: string, ending: string): string {
	return first.replace(/_[a-z]+$/, ending);
}

/** The codes of errors with their status; a row with several of both has them in the same order. */
export function documentedErrors(section: string): Record<string, number> {
	const errors = tableRows(section, 'Code').flatMap(([cell, status = '']) => {
		const statuses = status.split(', ');
		return codeSpans(cell).map((code, at) => [code, Number(statuses[at] ?? statuses[0])] as const);
	});
	return Object.fromEntries(errors);
}

/** The names of the metrics that a text of Prometheus has, without those of the runtime. */
export function ownMetrics(text: string): string[] {
	const names = Array.from(text.matchAll(/^# TYPE (\w+) /gm), ([, name = '']) => name);
	return names.filter((name) => !/^(?:process|nodejs)_/.test(name));
}

/** Those events that no source of a directory logs. */
export function unloggedEvents(directory: string, events: readonly string[]): string[] {
	const files = globSync(`src/${directory}/**/*.ts`, { cwd: projectDirectory }).filter(
		(file) => !file.endsWith('/log.ts'),
	);
	const sources = files.map((file) => readFileSync(`${projectDirectory}/${file}`, 'utf8')).join('\n');
	return events.filter((event) => !sources.includes(`'${event}'`));
}

/** The options that a unit of systemd starts its program with. */
export function unitOptions(unit: string): string[] {
	const [, command = ''] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? [];
	return Array.from(command.matchAll(/--([\w-]+) /g), ([, name = '']) => name);
}
