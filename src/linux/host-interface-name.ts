// The names of what an attachment has on the host: they follow from the attachment, so that no state is needed to find it.

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

/** The ifb of an attachment whose output is limited: the same characters behind another prefix. */
export function ifbName(attachment: { readonly containerId: string; readonly ifname: string }): string {
	return `ifb${hostInterfaceName(attachment).slice('veth'.length)}`;
}
