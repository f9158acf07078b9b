// Counts what ava reports. Its TAP would be easier to read, but ava 8.1 dies of a time-out or process.exit() there.

import { stripVTControlCharacters } from 'node:util';

export interface Counts {
	readonly passed: number;
	/** Failed tests and hooks, tests that were never run, and files that crashed or hung. */
	readonly failed: number;
	/** Titles of the tests that were declared with `test.skip` or `test.todo`. */
	readonly skipped: readonly string[];
}

const PASSED = /^ {2}✔ /;
const SKIPPED = /^ {2}- \[(?:skip|todo)\] (?<title>.*)$/;
const REMAINING = /^ {2}✘ (?<count>\d+) tests? remaining in /;
const FAILED =
	/^ {2}(?:✘ \[(?:fail|unexpected pass)\]: |✘ .* exited (?:with|due to) |✘ (?:No tests found|Internal error|Error in shared)|◌ |Failed to exit when running )/;
/** Comes before the failures in full. */
const END = /^ {2}─$/;

/** Reads the lines of ava's default reporter; those after the run's end may be anything. */
export function countTests(lines: Iterable<string>): Counts {
	let passed = 0;
	let failed = 0;
	const skipped: string[] = [];
	for (const coloured of lines) {
		const line = stripVTControlCharacters(coloured);
		if (END.test(line)) break;
		if (PASSED.test(line)) passed++;
		if (FAILED.test(line)) failed++;
		failed += Number(REMAINING.exec(line)?.groups?.['count'] ?? 0);
		const title = SKIPPED.exec(line)?.groups?.['title'];
		if (title !== undefined) skipped.push(title);
	}
	return { passed, failed, skipped };
}
