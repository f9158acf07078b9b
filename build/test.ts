// Runs the tests and counts them: `node build/test.ts [--edition bun|pkg] [file pattern or ava option]...`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { countTests } from './ava-report.ts';
import { projectDirectory, systemPath } from './project.ts';
import { BuildError, runScript } from './run.ts';

const EDITIONS: Record<string, string> = { bun: 'build/bin/mesos-overlay', pkg: 'build/bin/mesos-overlay-pkg' };

await runScript(async () => {
	const { lines, end } = await runAva(process.argv.slice(2));
	const { passed, failed, skipped } = countTests(lines);
	if (skipped.length > 0) console.log(`\ncould not run on this machine:\n\n${skipped.map(withReason).join('\n')}`);
	if (passed + failed === 0) console.log('\nno test ran');

	// Whatever is wrong in ava itself is one failure.
	const failures = end === 'exit status 0' || failed > 0 ? failed : 1;
	if (failures > failed) console.log(`\nava ended with ${end}`);
	console.log(`\n${passed} passed, ${failures} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`);
	if (failures > 0 || passed === 0) process.exitCode = 1;
});

/** Passes on what ava prints, and returns it. */
async function runAva(parameters: readonly string[]): Promise<{ lines: readonly string[]; end: string }> {
	const { executable, patterns } = readEdition(parameters);
	const colour = process.stdout.isTTY ? '--color' : '--no-color';
	const ava = spawn(process.execPath, ['node_modules/ava/entrypoints/cli.js', colour, ...patterns], {
		cwd: projectDirectory,
		// On a console ("linux"), ava draws other marks.
		env: { ...process.env, PATH: systemPath(), TERM: 'xterm', MESOS_OVERLAY: executable },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const closed = once(ava, 'close');
	const lines: string[] = [];
	for await (const line of createInterface(ava.stdout)) {
		console.log(line);
		lines.push(line);
	}
	const [status, signal] = await closed;
	return { lines, end: signal === null ? `exit status ${status}` : String(signal) };
}

/** Only the end-to-end tests run the executable: they are what tells one edition from another. */
function readEdition(parameters: readonly string[]): { executable: string | undefined; patterns: readonly string[] } {
	if (parameters[0] !== '--edition') return { executable: process.env['MESOS_OVERLAY'], patterns: parameters };
	const [, edition = '', ...patterns] = parameters;
	const executable = EDITIONS[edition];
	if (executable === undefined) throw new BuildError(`testing the edition "${edition}": expected bun or pkg`);
	return { executable, patterns: patterns.length === 0 ? ['test/e2e/**', 'test/cluster/**'] : patterns };
}

/** A skipped test says why in its title: `a title (skipped: the reason)`. */
function withReason(title: string): string {
	const [, name = title, reason = 'no reason given'] = /^(.*) \(skipped: (.*)\)$/.exec(title) ?? [];
	return `- ${name}: ${reason}`;
}
