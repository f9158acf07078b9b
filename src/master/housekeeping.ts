// What the master does without being asked: drained networks go, and what was freed long enough ago may be given again.

import { releaseFreed, removeNetwork } from '../overlay/release.ts';
import type { Services } from './services.ts';

/** Milliseconds. */
const INTERVAL = 500;
const INTERVAL_AFTER_FAILURE = 30_000;

/** Begins, and gives the function that ends it. */
export function keepHouse(services: Services): () => void {
	const drains = watchDrains(services);
	const keepOnAndOn = async (): Promise<void> => {
		try {
			await keepOnce(services, drains);
			timer = setTimeout(again, INTERVAL);
		} catch {
			// The store has told why.
			timer = setTimeout(again, INTERVAL_AFTER_FAILURE);
		}
	};
	const again = (): void => void keepOnAndOn();
	let timer = setTimeout(again, INTERVAL);
	return () => clearTimeout(timer);
}

/** The networks that are being drained, each with the mark of presence of when that began, or of the start. */
function watchDrains({ registry, presence }: Services): ReadonlyMap<string, number> {
	const drains = new Map<string, number>();
	const look = (): void => {
		const { networks } = registry.durable;
		for (const [name, { phase }] of networks) {
			if (phase === 'draining') drains.set(name, drains.get(name) ?? presence.mark());
			else drains.delete(name);
		}
		for (const name of drains.keys()) if (!networks.has(name)) drains.delete(name);
	};
	look();
	registry.watch(({ writes }) => {
		if (writes.some(({ kind }) => kind === 'network')) look();
	});
	return drains;
}

async function keepOnce(services: Services, drains: ReadonlyMap<string, number>): Promise<void> {
	const { registry, log, now, quarantine } = services;
	const [oldest] = registry.durable.freed.values();
	const empty = findEmpty(services, drains);
	const isDue = oldest !== undefined && oldest.time <= now() - quarantine;
	if (!isDue && empty.length === 0) return;
	const removed = await registry.change((draft) => {
		releaseFreed(draft, now() - quarantine);
		const draining = empty.filter((name) => draft.state.networks.get(name)?.phase === 'draining');
		for (const name of draining) removeNetwork(draft, name, now());
		return draining;
	});
	for (const network of removed) log('info', 'network removed', { network });
}

/** Of the networks that are being drained, those of which every agent that has a part of them has reported no containers since. */
function findEmpty({ registry, presence }: Services, drains: ReadonlyMap<string, number>): string[] {
	const agents = [...registry.durable.agents.values()];
	const isEmpty = (name: string, since: number): boolean =>
		agents.every(
			({ ip, networks }) =>
				!networks.has(name) ||
				(presence.hasReportedSince(ip, since) && presence.reportsOf(ip).get(name)?.containers === 0),
		);
	return Array.from(drains).flatMap(([name, since]) => (isEmpty(name, since) ? [name] : []));
}
