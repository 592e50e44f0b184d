// Audits a model from TypeScript: no code is generated, the contract is read when the program starts.
//
//   npm ci
//   npm run audit -- model.onnx [HOST:PORT]
//
// Prints progress and the verdict. Exit status: 0 PASS or WARN, 1 FAIL, 2 no report, 3 INCONCLUSIVE.
import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import * as loader from "@grpc/proto-loader";

// Where a checkout has the contract; a project of its own keeps a copy of audit.proto.
const PROTO_ROOT = process.env.DROPAUDIT_PROTO ?? fileURLToPath(new URL("../../../proto", import.meta.url));
const EXIT_STATUS: Record<string, number> = { PASS: 0, WARN: 0, FAIL: 1, INCONCLUSIVE: 3 };

interface Finding { code: string; slug: string; severity: string; subject: string; message: string; remedy: string }
interface Report { verdict: string; summary: string; findings: Finding[] }
interface Audit { name: string; state: string; report: Report | null; failure: { reason: string; message: string } | null }
interface AuditEvent { progress?: { phase: string; replicates: string }; audit?: Audit }
type Callback<T> = (error: grpc.ServiceError | null, answer?: T) => void;

interface Client extends grpc.Client {
  uploadModel(callback: Callback<{ name: string }>): grpc.ClientWritableStream<object>;
  createAudit(request: object, callback: Callback<Audit>): grpc.ClientUnaryCall;
  watchAudit(request: object): grpc.ClientReadableStream<AuditEvent>;
}

function connect(address: string): Client {
  const definition = loader.loadSync("dropaudit_proto/v1/audit.proto", {
    includeDirs: [PROTO_ROOT],
    enums: String,
    longs: String,
    defaults: true,
    oneofs: true,
  });
  // The package is looked up by name, which the type checker cannot follow.
  const contract = grpc.loadPackageDefinition(definition) as unknown as {
    dropaudit: { v1: { AuditService: new (address: string, credentials: grpc.ChannelCredentials) => Client } };
  };
  return new contract.dropaudit.v1.AuditService(address, grpc.credentials.createInsecure());
}

function answered<T>(call: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, answer) => (error ? reject(error) : resolve(answer as T))));
}

async function upload(client: Client, path: string): Promise<string> {
  const model = await answered<{ name: string }>((callback) => {
    const call = client.uploadModel(callback);
    call.write({ metadata: { displayName: basename(path) } });
    const file = createReadStream(path, { highWaterMark: 256 * 1024 });
    // Reading waits while the connection is busy.
    file.on("data", (chunk) => {
      if (!call.write({ chunk })) {
        file.pause();
        call.once("drain", () => file.resume());
      }
    });
    file.on("end", () => call.end());
    file.on("error", (error) => call.destroy(error));
  });
  return model.name;
}

function follow(client: Client, name: string): Promise<Audit> {
  return new Promise((resolve, reject) => {
    const events = client.watchAudit({ name });
    let last: Audit | undefined;
    events.on("data", (event: AuditEvent) => {
      if (event.progress) console.error(`${event.progress.phase} ${event.progress.replicates} replicates`);
      last = event.audit ?? last;
    });
    events.on("error", reject);
    events.on("end", () => (last ? resolve(last) : reject(new Error(`${name} ended without a result`))));
  });
}

async function main(path: string, address: string): Promise<number> {
  const client = connect(address);
  try {
    const model = await upload(client, path);
    const spec = { artifact: { model, role: "TRAIN" } };
    const labels = { source: "typescript" };
    const created = await answered<Audit>((callback) => client.createAudit({ audit: { spec, labels } }, callback));
    const { report, failure } = await follow(client, created.name);
    if (!report) {
      console.error(failure ? `${failure.reason}: ${failure.message}` : "the audit was cancelled");
      return 2;
    }
    console.log(`${report.verdict}  ${report.summary}`);
    for (const each of report.findings) console.log(`${each.severity} ${each.code} ${each.slug}  ${each.subject}`);
    return EXIT_STATUS[report.verdict] ?? 2;
  } finally {
    client.close();
  }
}

const [path, address = "127.0.0.1:50051"] = process.argv.slice(2);
if (path === undefined) {
  console.error("usage: npm run audit -- model.onnx [HOST:PORT]");
  process.exit(2);
}
main(path, address).then(
  (status) => process.exit(status),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  },
);
