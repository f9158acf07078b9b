// The shape of the state that the original shows at /overlay-master/state.

import * as v from 'valibot';
import { configurationShape, networkShape } from './configuration-shape.ts';
import { agentStatuses } from './registration-wire.ts';

const text = v.string();
const number = v.number();

/** A half of an agent's part of a network: its network addresses, not those of gateways. */
const bridgeShape = v.object({ ip: v.optional(text), ip6: v.optional(text), name: text });
export type DocumentBridge = v.InferOutput<typeof bridgeShape>;

const vxlanShape = v.object({
	vni: number,
	vtep_ip: text,
	vtep_ip6: v.optional(text),
	vtep_mac: text,
	vtep_mtu: v.optional(number),
	vtep_name: text,
});
export type DocumentVxlan = v.InferOutput<typeof vxlanShape>;

/** A network as the file has it. */
const infoShape = v.object(networkShape.entries);

/** An agent's network. Without subnets, there was none left. */
const overlayShape = v.object({
	backend: v.object({ vxlan: vxlanShape }),
	docker_bridge: v.optional(bridgeShape),
	info: infoShape,
	mesos_bridge: v.optional(bridgeShape),
	state: v.object({ error: v.optional(text), status: v.picklist(agentStatuses) }),
	subnet: v.optional(text),
	subnet6: v.optional(text),
});
export type DocumentOverlay = v.InferOutput<typeof overlayShape>;

const agentShape = v.object({ ip: text, overlays: v.array(overlayShape) });
export type DocumentAgent = v.InferOutput<typeof agentShape>;

/** The whole. All networks may have been removed, other than in the file. */
export const documentStateShape = v.object({
	agents: v.array(agentShape),
	network: v.object({ ...configurationShape.entries, overlays: v.array(infoShape) }),
});
