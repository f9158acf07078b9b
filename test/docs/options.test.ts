// docs/configuration.md has all options of master and agent, with the defaults that their help tells.
import test from 'ava';
import { agent } from '../../src/cli/agent.ts';
import type { Command } from '../../src/cli/command.ts';
import { master } from '../../src/cli/master.ts';
import { codeSpans, readPage, tableRows } from './markdown.ts';

const page = readPage('docs/configuration.md');

for (const [name, { options }] of Object.entries({ master, agent }) as [string, Pick<Command, 'options'>][]) {
	const rows = tableRows(page, `Option of \`${name}\``);

	test(`every option of ${name} is in the table, as its help writes it`, (t) => {
		const written = Object.entries(options).map(([option, { value }]) =>
			value === undefined ? `--${option}` : `--${option} ${value}`,
		);
		t.deepEqual(rows.flatMap(([cell]) => codeSpans(cell)).toSorted(), written.toSorted());
	});

	test(`the defaults of ${name} are those of its help`, (t) => {
		for (const [cell, value] of rows) {
			const [option = ''] = codeSpans(cell).map((span) => span.replace(/^--(\S+).*/, '$1'));
			const [documented] = codeSpans(value);
			const [, told] = /; ([^;]*)$/.exec(options[option]?.about ?? '') ?? [];
			if (told !== undefined && /^[\d/]/.test(told)) t.is(documented, told, option);
			else if (documented !== undefined && option !== 'mtu') {
				t.true(options[option]?.about.includes(documented), option);
			}
		}
	});
}
