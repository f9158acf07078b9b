// Compares the leases of an attachment with what it was told.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Attachment, describe } from '../cni/request.ts';
import type { IpConfig } from '../cni/result.ts';
import { formatAddress, parseAddress } from './address.ts';
import { isAt, peek } from './lease-file.ts';
import { formatSet, inSet, rangeAround, type RangeSet } from './range-set.ts';
import { isReleased } from './quarantine.ts';
import { addressPath, attachmentPath, type Store, storeExists } from './store.ts';

/**
 * Checks that an attachment holds an address of each range set, and that the `ips` of its result name it. Throws CniError
 * (check failed) that says everything which differs, or LeaseError.
 */
export function checkLeases(
	store: Store,
	attachment: Attachment,
	sets: readonly RangeSet[],
	ips: readonly IpConfig[],
	bootId: string,
): void {
	storeExists(store);
	const named = ips.map(({ address }) => canonical(address));
	const differences = sets.flatMap((set, index) => difference(store, attachment, index, set, named, bootId) ?? []);
	if (differences.length === 0) return;
	const expected = named.length === 0 ? 'prevResult names no address' : `prevResult names ${named.join(', ')}`;
	const message = `checking the leases of ${describe(attachment)}: ${differences.join('; ')} (${expected})`;
	throw new CniError(CniErrorCode.checkFailed, message);
}

/** The address of a CIDR as the store would name it. */
function canonical(cidr: string): string {
	const [text = ''] = cidr.split('/');
	const address = parseAddress(text);
	return address === undefined ? text : formatAddress(address);
}

function difference(
	store: Store,
	attachment: Attachment,
	index: number,
	set: RangeSet,
	named: readonly string[],
	bootId: string,
): string | undefined {
	const path = attachmentPath(store, attachment, index);
	const entry = peek(store, path);
	if (entry === undefined) return `no address of "${formatSet(set)}" is leased`;
	const { lease, status } = entry;
	const { containerId, ifname } = attachment;
	if (lease?.containerId !== containerId || lease.ifname !== ifname) return `"${path}" is not its lease`;
	const address = parseAddress(lease.address);
	const holds = address !== undefined && !isReleased(lease) && isAt(store, status, addressPath(store, lease.address));
	if (!holds) return `"${path}" holds no address`;
	if (lease.bootId !== bootId) return `the lease of "${lease.address}" is of an earlier boot`;
	if (!inSet(set, address) && rangeAround(set, address)) return `"${lease.address}" is a gateway, or reserved`;
	if (!inSet(set, address)) return `"${lease.address}" is not in "${formatSet(set)}"`;
	if (!named.includes(lease.address)) return `"${lease.address}" is leased`;
	return undefined;
}
