// Measures the plugins side by side with the reference plugins: `node bench/run.ts [--only GROUP,…] [--runs N | --quick]
// [--directory DIR] [--json FILE]`.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BuildError, runScript } from '../build/run.ts';
import { AGENT } from './agent-dataplane.ts';
import { BRIDGE } from './bridge.ts';
import type { Conditions, Group, Section } from './group.ts';
import { IPAM } from './ipam.ts';
import { buildLauncher } from './launcher.ts';
import { NAT } from './nat.ts';
import { withPrograms } from './programs.ts';
import { describeMachine, formatMachine, formatSection } from './report.ts';
import { isMet } from './rows.ts';

const GROUPS: readonly Group[] = [BRIDGE, IPAM, NAT, AGENT];
const DEFAULT_RUNS = 60;
const QUICK_RUNS = 12;

interface Measured {
	readonly sections: readonly (Section & Pick<Group, 'name'>)[];
	readonly failures: readonly string[];
}

interface Options {
	readonly groups: readonly Group[];
	readonly runs: number;
	readonly directory: string;
	readonly json: string | undefined;
}

await runScript(async () => {
	const { groups, runs, directory, json } = readOptions();
	if (process.getuid?.() !== 0) throw new BuildError('making network namespaces: not root; run this as root');
	const machine = describeMachine(directory);
	await buildLauncher();

	console.log(formatMachine(machine));
	const { sections, failures } = await withPrograms(() => measureAll(groups, { runs, directory }));
	const missed = sections.flatMap(({ name, rows }) =>
		rows.filter((row) => isMet(row) === false).map(({ title }) => `${name}: ${title}`),
	);
	if (missed.length > 0) console.log(`Missed:\n- ${missed.join('\n- ')}`);
	else if (failures.length === 0) console.log('All targets are met.');
	if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, runs, sections }, undefined, '\t')}\n`);
	if (failures.length > 0) throw new BuildError(failures.join('\n\n'));
});

/** Measures all groups, even when one fails, which has nothing to do with the others. */
async function measureAll(groups: readonly Group[], conditions: Conditions): Promise<Measured> {
	const sections: (Section & Pick<Group, 'name'>)[] = [];
	const failures: string[] = [];
	for (const { name, title, measure } of groups) {
		try {
			const section = await measure(conditions);
			console.log(`\n${formatSection(title, section)}\n`);
			sections.push({ name, ...section });
		} catch (error) {
			if (!(error instanceof BuildError)) throw error;
			failures.push(`measuring the group "${name}": ${error.message}`);
		}
	}
	return { sections, failures };
}

/** Throws a BuildError for what is no option. */
function readOptions(): Options {
	try {
		const { values } = parseArgs({
			options: {
				only: { type: 'string' },
				runs: { type: 'string' },
				quick: { type: 'boolean' },
				directory: { type: 'string', default: '/run' },
				json: { type: 'string' },
			},
		});
		const runs = Number(values.runs ?? (values.quick ? QUICK_RUNS : DEFAULT_RUNS));
		if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is no whole number above 0: "${values.runs}"`);
		return { groups: readGroups(values.only), runs, directory: values.directory, json: values.json };
	} catch (error) {
		const names = GROUPS.map(({ name }) => name).join(', ');
		const usage =
			'usage: npm run bench -- [--only GROUP,…] [--runs N | --quick] [--directory DIR] [--json FILE]; ' +
			`the groups are ${names}; N is ${DEFAULT_RUNS} unless given`;
		throw new BuildError(
			`reading the options: ${error instanceof Error ? error.message : String(error)}\n${usage}`,
		);
	}
}

function readGroups(only: string | undefined): readonly Group[] {
	if (only === undefined) return GROUPS;
	return only.split(',').map((name) => {
		const group = GROUPS.find((known) => known.name === name);
		if (group === undefined) throw new Error(`--only: there is no group "${name}"`);
		return group;
	});
}
