// Takes the project's Markdown pages apart, so that tests can hold them against the program.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export const projectDirectory = resolve(import.meta.dirname, '../..');

/** The text of a page, by its path in the project. */
export function readPage(path: string): string {
	return readFileSync(`${projectDirectory}/${path}`, 'utf8');
}

/** The contents of the fenced code blocks in a language, in order. */
export function codeBlocks(page: string, language: string): string[] {
	return Array.from(page.matchAll(/^```(\w*)\n([^]*?)^```$/gm))
		.filter(([, found]) => found === language)
		.map(([, , content = '']) => content);
}

/** The rows of all tables whose first column has this heading, each as its cells in Markdown. */
export function tableRows(page: string, heading: string): string[][] {
	const rows: string[][] = [];
	for (const [table] of page.matchAll(/(?:^\|.*\|\n)+/gm)) {
		const [head, , ...body] = table.trimEnd().split('\n').map(cellsOf);
		if (head?.[0] === heading) rows.push(...body);
	}
	return rows;
}

/** The code spans in a cell. */
export function codeSpans(cell = ''): string[] {
	return Array.from(cell.matchAll(/`([^`]+)`/g), ([, code = '']) => code);
}

function cellsOf(line: string): string[] {
	return line
		.replace(/^\||\|$/g, '')
		.split('|')
		.map((cell) => cell.trim());
}
