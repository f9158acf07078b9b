// Finds out from the records who holds a port of the host.

import type { TakenPort } from './backend.ts';
import { isSame } from './elements.ts';
import { familyOf } from '../ip/address.ts';
import { type Family, overlaps, type PortMapping } from './port-mappings.ts';
import type { AttachmentRecord } from './records.ts';

/** The first port that a record wants and another one of the list has; undefined: all are free. */
export function findTakenPort(
	record: AttachmentRecord,
	attachments: readonly AttachmentRecord[],
): TakenPort | undefined {
	const others = attachments.filter((each) => !isSame(each, record));
	for (const wanted of record.portMappings) {
		for (const holder of others) {
			for (const held of holder.portMappings) {
				const port = commonPort(wanted, held);
				const families = familiesIn(wanted, record);
				if (port === undefined || !familiesIn(held, holder).some((family) => families.includes(family)))
					continue;
				const { protocol, hostIp } = wanted;
				return { port: `${hostIp === undefined ? '' : `${hostIp}:`}${port}/${protocol}`, holder };
			}
		}
	}
	return undefined;
}

/** The families in which a mapping leads anywhere. */
function familiesIn({ families }: PortMapping, { addresses }: AttachmentRecord): Family[] {
	return families.filter((family) => addresses.some((address) => familyOf(address) === family));
}

function commonPort(one: PortMapping, other: PortMapping): number | undefined {
	if (one.protocol !== other.protocol || !overlaps(one.hostIp, other.hostIp)) return undefined;
	const first = Math.max(one.hostPort, other.hostPort);
	return first < Math.min(one.hostPort + one.count, other.hostPort + other.count) ? first : undefined;
}
