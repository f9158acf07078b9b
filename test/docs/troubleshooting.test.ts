// docs/troubleshooting.md quotes the program's messages: they are looked for in the sources, and the other way round.
import { globSync, readFileSync } from 'node:fs';
import test from 'ava';
import { CniErrorCode } from '../../src/cni/errors.ts';
import { codeSpans, projectDirectory, readPage, tableRows } from './markdown.ts';

const page = readPage('docs/troubleshooting.md');

/** The texts of all messages: pieces of one text that the sources put together with + are one here. */
const sources = globSync('src/**/*.ts', { cwd: projectDirectory })
	.map((file) => readFileSync(`${projectDirectory}/${file}`, 'utf8'))
	.join('\n')
	.replaceAll(/[`'] \+\s*[`']/g, '')
	.replaceAll("\\'", "'");

const quotedMessages = [
	...['Message', 'Difference', 'Note'].flatMap((heading) =>
		tableRows(page, heading).flatMap(([cell]) => codeSpans(cell)),
	),
	...Array.from(page.matchAll(/^(?:- )?`([^`]*…[^`]*)`/gm), ([, message = '']) => message),
];

for (const message of new Set(quotedMessages)) {
	test(`in the sources: ${message}`, (t) => {
		// So messages name an attachment; the text is made in one place.
		const fragments = message
			.replaceAll('container "…" (interface "…")', '…')
			.split('…')
			.map((fragment) => fragment.replace(/^[":; ]+|[":; ]+$/g, ''));
		for (const fragment of fragments.filter(({ length }) => length > 3)) {
			// What is before a colon and what is after it may come from two places.
			for (const part of fragment.split(/": |: /))
				t.true(sources.includes(part) || sources.includes(part.replace('reading ', '')), part);
		}
		t.true(fragments.length > 0);
	});
}

test('every kind of message of the program is on the page', (t) => {
	const kinds = Array.from(
		sources.matchAll(/['`]([a-z]+ing (?:up |back |the )?\w+) [^'`\n]*(?::|\$\{)/g),
		([, kind = '']) => kind,
	);
	t.true(kinds.length > 30);
	t.deepEqual(
		[...new Set(kinds)].filter(
			(kind) =>
				!page.includes(kind) &&
				!/^(?:decoding|encoding|adding|removing|changing|listing|creating|deleting) /.test(kind),
		),
		[],
	);
});

test('docs/architecture.md has the table of codes', (t) => {
	const rows = tableRows(readPage('docs/architecture.md'), 'Code');
	t.deepEqual(
		rows.map(([code, name]) => [codeSpans(name)[0], Number(code)]),
		Object.entries(CniErrorCode),
	);
});
