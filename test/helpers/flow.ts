// Sends for a while as much as passes, and measures how much that is and how long an echo takes meanwhile.
import { join } from 'node:path';
import type { Namespace } from './namespace.ts';

const ECHO_INTERVAL_MS = 20;

export interface Flow {
	/** Bits a second of what was sent, without headers. */
	readonly rate: number;
	/** Over how many milliseconds. */
	readonly milliseconds: number;
	/** How long echoes took, in milliseconds, the shortest first. */
	readonly echoes: readonly number[];
}

export interface FlowOptions {
	readonly protocol: 'tcp' | 'udp';
	/** One of the receiver's. */
	readonly address: string;
	readonly port?: number;
	/** Of which the first half second is not counted. */
	readonly milliseconds?: number;
	/** What a sender of datagrams sends in bits a second; a stream takes what it gets. */
	readonly offered?: number;
}

/** Sends from one namespace to another, and echo requests beside it. */
export async function flow(
	from: Namespace,
	to: Namespace,
	{ protocol, address, port = 7778, milliseconds = 1400, offered = 0 }: FlowOptions,
): Promise<Flow> {
	const program = [process.execPath, '--no-warnings', join(import.meta.dirname, 'flow-peer.ts')];
	const peer = (role: string) => [...program, role, protocol, address, `${port}`, `${milliseconds}`, `${offered}`];
	const end = new AbortController();
	const received = to.start(peer('serve'));
	const sending = from.start(peer('send'), { until: end.signal });
	// the flow must be there before the first echo and after the last one
	const echoRequests = Math.floor((milliseconds - 500) / ECHO_INTERVAL_MS);
	const script = `sleep 0.4; exec ping -n -i ${ECHO_INTERVAL_MS / 1000} -c ${echoRequests} -W 1 ${address}`;
	const pinging = from.start(['sh', '-c', script]);
	const { status, stdout, stderr } = await received;
	end.abort();
	await sending;
	if (status !== 0) throw new Error(`receiving at ${address}: status ${status}: ${stderr}`);
	const echoes = Array.from((await pinging).stdout.matchAll(/ time=([\d.]+) ms/g), ([, time]) => Number(time));
	return {
		rate: Number(stdout),
		milliseconds: milliseconds - 500,
		echoes: echoes.toSorted((one, other) => one - other),
	};
}
