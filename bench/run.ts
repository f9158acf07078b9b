// Measures the plugin side by side with the reference plugins: `node bench/run.ts [--runs N | --quick] [--json FILE]`.

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BuildError, runScript } from '../build/run.ts';
import { findCompetitors, writeConfigurations } from './competitors.ts';
import { buildLauncher, measure } from './launcher.ts';
import { containerCount, planSteps, sortSamples } from './plan.ts';
import { describeMachine, formatReport } from './report.ts';
import { compare } from './results.ts';
import { withStage } from './stage.ts';

const DEFAULT_RUNS = 60;
const QUICK_RUNS = 12;

await runScript(async () => {
	const { runs, json } = readOptions();
	if (process.getuid?.() !== 0) throw new BuildError('making network namespaces: not root; run this as root');
	const machine = describeMachine();
	const competitors = await findCompetitors();
	await buildLauncher();

	const samples = withStage(containerCount(competitors), (stage) => {
		writeConfigurations(competitors, stage);
		const steps = planSteps(competitors, stage, runs);
		console.log(`measuring ${competitors.map(({ title }) => title).join(', ')}: ${steps.length} steps`);
		return sortSamples(steps, measure(steps, stage.host, `${stage.directory}/plan.jsonl`));
	});

	const rows = compare(competitors, samples);
	console.log(`\n${formatReport(machine, competitors, rows)}`);
	if (json === undefined) return;
	const names = competitors.map(({ title, version }) => ({ title, version }));
	writeFileSync(json, `${JSON.stringify({ machine, runs, competitors: names, rows }, undefined, '\t')}\n`);
});

/** Throws a BuildError for what is no option. */
function readOptions(): { readonly runs: number; readonly json: string | undefined } {
	const usage = `usage: npm run bench -- [--runs N | --quick] [--json FILE]; N is ${DEFAULT_RUNS} unless given`;
	try {
		const { values } = parseArgs({
			options: { runs: { type: 'string' }, quick: { type: 'boolean' }, json: { type: 'string' } },
		});
		const runs = Number(values.runs ?? (values.quick ? QUICK_RUNS : DEFAULT_RUNS));
		if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs is no whole number above 0: "${values.runs}"`);
		return { runs, json: values.json };
	} catch (error) {
		throw new BuildError(
			`reading the options: ${error instanceof Error ? error.message : String(error)}\n${usage}`,
		);
	}
}
