import protobuf from 'protobufjs';

/**
 * What we use of containerd's API (1.6 and newer), in one package: the wire knows only field
 * numbers. `Any` and `Timestamp` are our own, since protobufjs treats Google's in its own way.
 * @see https://github.com/containerd/containerd/tree/v1.6.20/api
 */
const PROTO = `
syntax = "proto3";
message Empty {}
message Any { string type_url = 1; bytes value = 2; }
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message FieldMask { repeated string paths = 1; }
message Mount { string type = 1; string source = 2; string target = 3; repeated string options = 4; }
message Descriptor { string media_type = 1; string digest = 2; int64 size = 3; }

message Runtime { string name = 1; Any options = 2; }
message Container {
  string id = 1; map<string, string> labels = 2; string image = 3; Runtime runtime = 4; Any spec = 5;
  string snapshotter = 6; string snapshot_key = 7;
}
message GetContainerRequest { string id = 1; }
message ContainerResponse { Container container = 1; }
message ListContainersRequest { repeated string filters = 1; }
message ListContainerMessage { Container container = 1; }
message CreateContainerRequest { Container container = 1; }
message UpdateContainerRequest { Container container = 1; FieldMask update_mask = 2; }
message DeleteContainerRequest { string id = 1; }

enum TaskStatus { UNKNOWN = 0; CREATED = 1; RUNNING = 2; STOPPED = 3; PAUSED = 4; PAUSING = 5; }
message Process {
  string container_id = 1; string id = 2; uint32 pid = 3; TaskStatus status = 4;
  uint32 exit_status = 9; Timestamp exited_at = 10;
}
message CreateTaskRequest {
  string container_id = 1; repeated Mount rootfs = 3; string stdin = 4; string stdout = 5;
  string stderr = 6; bool terminal = 7; Any options = 9;
}
message CreateTaskResponse { string container_id = 1; uint32 pid = 2; }
message StartRequest { string container_id = 1; string exec_id = 2; }
message StartResponse { uint32 pid = 1; }
message DeleteTaskRequest { string container_id = 1; }
message DeleteTaskResponse { string id = 1; uint32 pid = 2; uint32 exit_status = 3; Timestamp exited_at = 4; }
message GetTaskRequest { string container_id = 1; string exec_id = 2; }
message GetTaskResponse { Process process = 1; }
message ListTasksRequest { string filter = 1; }
message ListTasksResponse { repeated Process tasks = 1; }
message KillRequest { string container_id = 1; string exec_id = 2; uint32 signal = 3; bool all = 4; }
message TaskExit { string container_id = 1; string id = 2; uint32 pid = 3; uint32 exit_status = 4; Timestamp exited_at = 5; }

message PrepareSnapshotRequest { string snapshotter = 1; string key = 2; string parent = 3; map<string, string> labels = 4; }
message MountsRequest { string snapshotter = 1; string key = 2; }
message MountsResponse { repeated Mount mounts = 1; }
message SnapshotRequest { string snapshotter = 1; string key = 2; }
message CommitSnapshotRequest { string snapshotter = 1; string name = 2; string key = 3; map<string, string> labels = 4; }
message SnapshotInfo { string name = 1; string parent = 2; }
message StatSnapshotResponse { SnapshotInfo info = 1; }
message ApplyRequest { Descriptor diff = 1; repeated Mount mounts = 2; }
message ApplyResponse { Descriptor applied = 1; }

enum WriteAction { STAT = 0; WRITE = 1; COMMIT = 2; }
message WriteContentRequest {
  WriteAction action = 1; string ref = 2; int64 total = 3; string expected = 4; int64 offset = 5;
  bytes data = 6; map<string, string> labels = 7;
}
message WriteContentResponse { WriteAction action = 1; int64 offset = 4; int64 total = 5; string digest = 6; }
message ReadContentRequest { string digest = 1; int64 offset = 2; int64 size = 3; }
message ReadContentResponse { int64 offset = 1; bytes data = 2; }

message Image { string name = 1; map<string, string> labels = 2; Descriptor target = 3; }
message GetImageRequest { string name = 1; }
message ImageResponse { Image image = 1; }
message CreateImageRequest { Image image = 1; }

message Lease { string id = 1; map<string, string> labels = 3; }
message CreateLeaseRequest { string id = 1; map<string, string> labels = 3; }
message LeaseResponse { Lease lease = 1; }
message DeleteLeaseRequest { string id = 1; bool sync = 2; }
message Resource { string id = 1; string type = 2; }
message AddResourceRequest { string id = 1; Resource resource = 2; }

message SubscribeRequest { repeated string filters = 1; }
message Envelope { Timestamp timestamp = 1; string namespace = 2; string topic = 3; Any event = 4; }

message RuncOptions { string binary_name = 6; string root = 7; }
`;

const root = protobuf.parse(PROTO, { keepCase: true }).root;

/** @param name of a message above */
export function messageType(name: string): protobuf.Type {
  return root.lookupType(name);
}

/** For the test that holds them against containerd's own. */
export function allMessageTypes(): protobuf.Type[] {
  return root.nestedArray.filter((object) => object instanceof protobuf.Type);
}
