// Decides what to tell when networks begin or cease to work.

import type { LogLine } from '../log.ts';
import type { NetworkStatus } from './network-status.ts';

/** What is new: of a network that fails, also another reason for it. Undefined: nothing has changed at all. */
export function newsOfStatuses(
	before: ReadonlyMap<string, NetworkStatus>,
	after: ReadonlyMap<string, NetworkStatus>,
): LogLine[] | undefined {
	if (JSON.stringify([...before]) === JSON.stringify([...after])) return undefined;
	const news: LogLine[] = [];
	for (const [network, { status, error }] of after) {
		const was = before.get(network);
		if (status === 'STATUS_FAILED' && was?.error !== error) {
			news.push({ level: 'error', event: 'network failing', details: { network, error } });
		}
		if (status === 'STATUS_OK' && was?.status !== status) {
			news.push({ level: 'info', event: 'network well', details: { network } });
		}
	}
	return news;
}
