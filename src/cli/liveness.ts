// Whether the holder of a lease lives, as far as that can be seen from outside.

import type { Lease } from '../ipam/lease.ts';
import { statusOf } from '../linux/files.ts';

export type NamespaceState = 'alive' | 'gone' | 'unknown';

/**
 * Whether the network namespace of a lease is what it was when the address was taken. Unknown: the lease does not say
 * which it was, as one that was imported, or it cannot be looked at.
 */
export function namespaceState({ bootId, netns, namespace }: Lease, thisBoot: string): NamespaceState {
	if (bootId !== thisBoot) return 'gone';
	if (namespace === undefined || !netns.startsWith('/')) return 'unknown';
	try {
		const found = statusOf(netns, { follow: true });
		return found?.device === namespace.device && found.inode === namespace.inode ? 'alive' : 'gone';
	} catch {
		return 'unknown';
	}
}
