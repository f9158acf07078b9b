// A process of its own that leases, and says what it got: racing-process.ts <data directory> <container id> [stay | churn].
import { formatAddress } from '../../src/ipam/address.ts';
import { leaseAddresses } from '../../src/ipam/lease-addresses.ts';
import { messageOf } from '../../src/ipam/lease-error.ts';
import { releaseAttachment } from '../../src/ipam/release.ts';
import { storeOf } from '../../src/ipam/store.ts';
import { bootId } from '../../src/linux/boot-id.ts';
import { anyOf, holderOf, setOf } from './stores.ts';

const [, , dataDirectory = '', containerId = '', then] = process.argv;
const store = storeOf(dataDirectory, 'dcos');
const terms = { bootId: bootId(), deadline: performance.now() + 30_000, now: Date.now() };
// Room for 13 containers, and for 14 of the other family.
const demands = anyOf(setOf('9.0.1.0/28'), setOf('fd00::/124'));

function add(): string {
	try {
		return leaseAddresses(store, holderOf(containerId), demands, terms).map(formatAddress).join(' ');
	} catch (error) {
		return messageOf(error);
	}
}

console.log(add());
if (then === 'stay') setTimeout(() => {}, 60_000);
if (then === 'churn') {
	for (;;) {
		releaseAttachment(store, holderOf(containerId), terms.deadline);
		add();
	}
}
