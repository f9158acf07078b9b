// An SCTP association's first two packets, between namespaces.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { systemPath } from './command.ts';
import type { Namespace } from './namespace.ts';

const peer = (...words: string[]) => [
	process.execPath,
	'--no-warnings',
	...process.execArgv.filter((word) => word.includes('ffi')),
	join(import.meta.dirname, 'sctp-peer.ts'),
	...words,
];

/** Answers at a port of a namespace until the test ends. */
export async function answerSctp(t: ExecutionContext, at: Namespace, port: number): Promise<void> {
	const argv = ['netns', 'exec', at.name, ...peer('answer', String(port))];
	const child = spawn('ip', argv, { env: { PATH: systemPath }, stdio: ['ignore', 'pipe', 'inherit'] });
	t.teardown(() => child.kill('SIGKILL'));
	await new Promise<void>((ready, failed) => {
		child.stdout.once('data', () => ready());
		child.once('exit', (status) => failed(new Error(`the SCTP peer ended with status ${status}`)));
	});
}

/** The port from which an INIT is answered, as who sends it sees it; undefined when nobody answers. */
export async function initSctp(from: Namespace, address: string, port: number): Promise<number | undefined> {
	const { stdout } = await from.start(peer('init', address, String(port)));
	const answered = Number(stdout);
	return Number.isNaN(answered) ? undefined : answered;
}
