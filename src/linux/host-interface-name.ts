// The name of the host's end of a veth pair: it follows from the attachment, so that no state is needed to find it again.

import { hash64 } from './hash.ts';

/** The host's end of an attachment's veth pair: 15 characters, the longest that a device name may have. */
export function hostInterfaceName({
	containerId,
	ifname,
}: {
	readonly containerId: string;
	readonly ifname: string;
}): string {
	return `veth${hash64(`${containerId} ${ifname}`).slice(0, 11)}`;
}
