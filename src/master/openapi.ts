// The OpenAPI document, made of the routes.

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { type ApiErrorCode, apiErrorShape, apiErrorStatus } from './api-error.ts';
import type { Answer, Route } from './route.ts';

/** What can go wrong with every request, with those that are not for anybody, that have a body, or that change something. */
const EVERYWHERE: readonly ApiErrorCode[] = ['internal', 'overloaded'];
const WITH_IDENTITY: readonly ApiErrorCode[] = ['unauthenticated', 'forbidden'];
const WITH_BODY: readonly ApiErrorCode[] = ['invalidRequest', 'tooSlow', 'tooLarge'];
const WITH_CHANGES: readonly ApiErrorCode[] = ['storeFailed', 'storeFull'];

/** An OpenAPI 3.1 document. */
export function describeApi(routes: readonly Route[]): object {
	const paths: Record<string, Record<string, object>> = {};
	for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: describeRoute(route) };
	return {
		openapi: '3.1.0',
		info: { title: 'mesos-overlay master', version: '1' },
		paths,
		components: {
			securitySchemes: {
				token: { type: 'http', scheme: 'bearer' },
				certificate: { type: 'mutualTLS', description: 'a client certificate' },
			},
			schemas: { Error: schemaOf(apiErrorShape) },
		},
	};
}

function describeRoute(route: Route): object {
	const { method, path, summary, audience, parameters = {}, body, answers, errors = [] } = route;
	const isPublic = audience === 'anybody';
	const codes = [
		...EVERYWHERE,
		...(isPublic ? [] : WITH_IDENTITY),
		...(body === undefined ? [] : WITH_BODY),
		...(method === 'get' ? [] : WITH_CHANGES),
		...errors,
	];
	return {
		summary,
		description: isPublic
			? 'For anybody.'
			: audience === 'known'
				? 'For agents and operators.'
				: `For ${audience}s.`,
		security: isPublic ? [] : [{ token: [] }, { certificate: [] }],
		parameters: Object.entries(parameters).map(([name, description]) => {
			const isInPath = path.includes(`{${name}}`);
			return {
				name,
				description,
				in: isInPath ? 'path' : 'query',
				required: isInPath,
				schema: { type: 'string' },
			};
		}),
		...(body !== undefined && {
			requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body) } } },
		}),
		responses: { ...describeErrors(codes), ...describeAnswers(answers) },
	};
}

function describeAnswers(answers: Route['answers']): object {
	return Object.fromEntries(
		Object.entries(answers).map(([status, answer]) => {
			const content = contentOf(answer);
			return [status, { description: answer.description, ...(content && { content }) }];
		}),
	);
}

/** What is answered, by its type; undefined when it is nothing. OpenAPI 3.1 has no word for the events of a stream. */
function contentOf({ shape, type, events }: Answer): object | undefined {
	if (shape !== undefined) return { 'application/json': { schema: schemaOf(shape) } };
	if (type === undefined) return undefined;
	const schemas = Object.entries(events ?? {}).map(([event, data]): [string, object] => [event, schemaOf(data)]);
	return {
		[type]: {
			...(type.startsWith('text/') && { schema: { type: 'string' } }),
			...(events && { 'x-events': Object.fromEntries(schemas) }),
		},
	};
}

function describeErrors(codes: readonly ApiErrorCode[]): object {
	const byStatus = Map.groupBy(codes, (code) => apiErrorStatus[code]);
	const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
	return Object.fromEntries(
		Array.from(byStatus, ([status, list]) => [status, { description: list.join(', '), content }]),
	);
}

function schemaOf(shape: GenericSchema): object {
	const { $schema: _, ...schema }: JsonSchema = toJsonSchema(shape, { errorMode: 'ignore', typeMode: 'input' });
	return schema;
}
