// Everybody to everybody: one process in each namespace serves its addresses, and sends to those of all others.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { systemPath } from './command.ts';
import type { Namespace } from './namespace.ts';

export interface Participant {
	readonly namespace: Namespace;
	/** Those that it serves. */
	readonly addresses: readonly string[];
	/** Those that it sends to. */
	readonly targets: readonly string[];
	/** Those that others must be seen to send from; more may be. */
	readonly sources: readonly string[];
}

/**
 * Lets them exchange, over TCP, some segments of `size` bytes and, over UDP, one datagram of so many that the packet has
 * `mtu` bytes. Gives a line for each exchange that did not come about; none is what a test hopes for.
 */
export async function exchange(participants: readonly Participant[], mtu: number): Promise<string[]> {
	const reports = await Promise.all(participants.map((participant) => take(participant, mtu)));
	return reports.flat();
}

function take({ namespace, addresses, targets, sources }: Participant, mtu: number): Promise<string[]> {
	const script = join(import.meta.dirname, 'traffic-mesh-peer.ts');
	const words = [process.execPath, '--no-warnings', script, JSON.stringify({ addresses, targets, sources, mtu })];
	const child = spawn('nsenter', [`--net=${namespace.path}`, ...words], {
		env: { PATH: systemPath },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	let printed = '';
	child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', () => {
			const lines = printed.split('\n').filter((line) => line !== '');
			resolve(
				lines.at(-1) === 'end'
					? lines.slice(0, -1).map((line) => `${namespace.name}: ${line}`)
					: [`${namespace.name}: ended early`],
			);
		});
	});
}
