// Sends real packets between namespaces.
import { join } from 'node:path';
import type { Namespace } from './namespace.ts';

const peer = (...words: string[]) => [
	process.execPath,
	'--no-warnings',
	join(import.meta.dirname, 'traffic-peer.ts'),
	...words,
];

/** Whether an echo request is answered; `size` is the number of bytes after the ICMP header. */
export function ping(from: Namespace, address: string, size = 56, options: readonly string[] = []): boolean {
	return from.run(['ping', '-n', '-c', '1', '-W', '1', '-s', `${size}`, ...options, address]).status === 0;
}

/** Whether echo requests get no answer for a third of a second, which is a thousand times what an answer takes here. */
export function unreachable(from: Namespace, address: string): boolean {
	return from.run(['ping', '-n', '-c', '2', '-i', '0.1', '-W', '0.3', address]).status !== 0;
}

/** Sends bytes over TCP, or in one datagram over UDP; gives how many the other side has counted. */
export async function transfer(
	from: Namespace,
	to: Namespace,
	protocol: 'tcp' | 'udp',
	address: string,
	bytes: number,
): Promise<number> {
	const served = to.start(peer('serve', protocol, address));
	const { stdout } = await from.start(peer('send', protocol, address, `${bytes}`));
	await served;
	return Number(stdout);
}
