// Whose holders cannot be alive any more. In doubt they are: to free an address in use is worse than to refuse one.

import { hostInterfaceName } from '../linux/host-interface-name.ts';
import type { Lease } from './lease.ts';
import { isReleased } from './quarantine.ts';
import type { System } from './system.ts';

/** Milliseconds in which a lease is too young to be dead: the runtime may still be about to make what it will be known by. */
const YOUTH = 60_000;

/** Says why the holder of a lease cannot be alive, in words that follow its name; undefined when it may be. */
export type Obituary = (lease: Lease) => string | undefined;

/** Whose holders died with the machine's earlier boots. */
export function diedBefore(bootId: string): Obituary {
	return (lease) => (lease.bootId === bootId ? undefined : 'is of an earlier boot');
}

/**
 * Whose containers are gone without a DEL: neither the namespace of the lease nor the host's end of its veth is there.
 * `now` is in milliseconds since the epoch; a clock that jumps back makes leases young, one that jumps forwards makes
 * them old enough to be looked at. Under another main plugin the veth has another name: then the namespace alone decides.
 */
export function diedUnseen({ statusOf, deviceExists }: System, now: number): Obituary {
	return (lease) => {
		const { netns, namespace, time } = lease;
		// A relative path leads elsewhere from here than from where the ADD ran.
		if (namespace === undefined || !netns.startsWith('/') || now - time < YOUTH) return undefined;
		// Its quarantine has its own end.
		if (isReleased(lease)) return undefined;
		const port = hostInterfaceName(lease);
		try {
			const found = statusOf(netns, { follow: true });
			if (found?.inode === namespace.inode && found.device === namespace.device) return undefined;
			if (deviceExists(port)) return undefined;
			const what = found === undefined ? 'is gone' : 'is another one';
			return `is dead: its namespace "${netns}" ${what}, and there is no interface "${port}"`;
		} catch {
			// Whatever cannot be seen may be there.
			return undefined;
		}
	};
}
