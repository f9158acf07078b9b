// Looks whether nf_tables has all that belongs to attachments. Each set is read once: to ask for one element after the other, as
// CHECK does for its own attachment, takes fifty times as long for a hundred of them.

import { isKernelError } from '../netlink/netlink-error.ts';
import { listElements } from '../netlink/nf-element.ts';
import { NETLINK_NETFILTER, openConnection } from '../netlink/socket.ts';
import { elementsOfAttachment, elementsOfPolicy } from './elements.ts';
import { type Group, groupBySet } from './kernel-elements.ts';
import { PORT_TABLE } from './port-table.ts';
import type { AttachmentRecord } from './records.ts';
import { isPortSet } from './sets.ts';
import { TABLE } from './table.ts';

/** Whether any is missing, or leads elsewhere. Nothing waits past `deadline` (ms of performance.now()). Throws NetlinkError. */
export function lacksElements(attachments: readonly AttachmentRecord[], deadline: number): boolean {
	const own = attachments.flatMap(elementsOfAttachment);
	const ofPolicies = attachments.flatMap((record) => elementsOfPolicy(record, attachments));
	const connection = openConnection(NETLINK_NETFILTER, deadline);
	try {
		return groupBySet([...own, ...ofPolicies]).some(({ set, elements }) => {
			const found = listElements(connection, isPortSet(set) ? PORT_TABLE : TABLE, set);
			const present = new Set(found.map(textOf));
			return elements.some((element) => !present.has(textOf(element)));
		});
	} catch (error) {
		if (isKernelError(error, 'ENOENT')) return true;
		throw error;
	} finally {
		connection.close();
	}
}

function textOf({ key, data = new Uint8Array(0) }: Group['elements'][number]): string {
	return `${Buffer.from(key).toString('latin1')} ${Buffer.from(data).toString('latin1')}`;
}
