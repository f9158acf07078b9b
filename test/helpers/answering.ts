// Containers that say who they are and whom they see, and whoever asks them.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { systemPath } from './command.ts';
import type { Namespace } from './namespace.ts';

const peer = (...words: string[]) => [
	process.execPath,
	'--no-warnings',
	join(import.meta.dirname, 'answering-peer.ts'),
	...words,
];

/** Milliseconds after which nobody answers: a thousand times what an answer takes here. */
const LIMIT = 700;

export interface Target {
	readonly protocol: 'tcp' | 'udp';
	readonly address: string;
	readonly port: number;
	/** The port from which is asked, with UDP. */
	readonly from?: number;
}

/** Whose answer it was, and which address it saw. */
export interface Answered {
	readonly name: string;
	readonly sees: string;
}

/** Answers at ports of a namespace, by TCP and UDP and both families, until the test ends. */
export async function serve(t: ExecutionContext, at: Namespace, name: string, ports: readonly number[]): Promise<void> {
	const argv = ['ip', 'netns', 'exec', at.name, ...peer('serve', name, ...ports.map(String))];
	const [program = '', ...rest] = argv;
	const child = spawn(program, rest, { env: { PATH: systemPath }, stdio: ['ignore', 'pipe', 'inherit'] });
	t.teardown(() => child.kill('SIGKILL'));
	await new Promise<void>((ready, failed) => {
		child.stdout.once('data', () => ready());
		child.once('exit', (status) => failed(new Error(`the server "${name}" ended with status ${status}`)));
	});
}

/** Asks all targets at once; undefined for each that does not answer. */
export async function ask(from: Namespace, targets: readonly Target[]): Promise<(Answered | undefined)[]> {
	const words = targets.map(({ protocol, address, port, from: own }) =>
		[protocol, address, port, ...(own === undefined ? [] : [own])].join(','),
	);
	const { stdout } = await from.start(peer('ask', String(LIMIT), ...words));
	return stdout
		.replace(/\n$/u, '')
		.split('\n')
		.map((line) => {
			const [name = '', sees = ''] = line.split(' ');
			return name === '' ? undefined : { name, sees };
		});
}
