/**
 * The functions of ONNX Runtime's C API that we call: place in the struct OrtApi, and parameters. The struct only ever
 * grows at its end, and GetApi refuses a version that the library does not have, so a place once right stays right.
 * Source: onnxruntime_c_api.h of 1.24 (ORT_API_VERSION 24). Pointers are `void *`: an address, or memory itself.
 */
export const ORT_API_VERSION = 24;

const STATUS = 'void *';
const P = 'void *';
const TEXT = 'const char *';
const SIZE = 'size_t';

/** [place, result, parameters] */
export const FUNCTIONS = {
  GetErrorCode: [1, 'int', [P]],
  GetErrorMessage: [2, TEXT, [P]],
  CreateEnv: [3, STATUS, ['int', TEXT, P]],
  DisableTelemetryEvents: [6, STATUS, [P]],
  CreateSession: [7, STATUS, [P, TEXT, P, P]],
  Run: [9, STATUS, [P, P, P, P, SIZE, P, SIZE, P]],
  CreateSessionOptions: [10, STATUS, [P]],
  SetOptimizedModelFilePath: [11, STATUS, [P, TEXT]],
  SetSessionLogSeverityLevel: [22, STATUS, [P, 'int']],
  SetSessionGraphOptimizationLevel: [23, STATUS, [P, 'int']],
  SetIntraOpNumThreads: [24, STATUS, [P, 'int']],
  SetInterOpNumThreads: [25, STATUS, [P, 'int']],
  SessionGetInputCount: [30, STATUS, [P, P]],
  SessionGetOutputCount: [31, STATUS, [P, P]],
  SessionGetInputTypeInfo: [33, STATUS, [P, SIZE, P]],
  SessionGetOutputTypeInfo: [34, STATUS, [P, SIZE, P]],
  SessionGetInputName: [36, STATUS, [P, SIZE, P, P]],
  SessionGetOutputName: [37, STATUS, [P, SIZE, P, P]],
  CreateRunOptions: [39, STATUS, [P]],
  RunOptionsSetRunLogSeverityLevel: [41, STATUS, [P, 'int']],
  RunOptionsSetTerminate: [46, STATUS, [P]],
  RunOptionsUnsetTerminate: [47, STATUS, [P]],
  CreateTensorAsOrtValue: [48, STATUS, [P, P, SIZE, 'int', P]],
  CreateTensorWithDataAsOrtValue: [49, STATUS, [P, P, SIZE, P, SIZE, 'int', P]],
  GetTensorMutableData: [51, STATUS, [P, P]],
  GetStringTensorDataLength: [53, STATUS, [P, P]],
  GetStringTensorContent: [54, STATUS, [P, P, SIZE, P, SIZE]],
  CastTypeInfoToTensorInfo: [55, STATUS, [P, P]],
  GetOnnxTypeFromTypeInfo: [56, STATUS, [P, P]],
  GetTensorElementType: [60, STATUS, [P, P]],
  GetDimensionsCount: [61, STATUS, [P, P]],
  GetDimensions: [62, STATUS, [P, P, SIZE]],
  CreateCpuMemoryInfo: [69, STATUS, ['int', 'int', P]],
  AllocatorFree: [76, STATUS, [P, P]],
  GetAllocatorWithDefaultOptions: [78, STATUS, [P]],
  ReleaseStatus: [93, 'void', [P]],
  ReleaseSession: [95, 'void', [P]],
  ReleaseValue: [96, 'void', [P]],
  ReleaseRunOptions: [97, 'void', [P]],
  ReleaseTypeInfo: [98, 'void', [P]],
  ReleaseSessionOptions: [100, 'void', [P]],
  GetAvailableProviders: [125, STATUS, [P, P]],
  ReleaseAvailableProviders: [126, STATUS, [P, 'int']],
  AddSessionConfigEntry: [130, STATUS, [P, TEXT, TEXT]],
  AddRunConfigEntry: [165, STATUS, [P, TEXT, TEXT]],
  AppendTensorRT: [170, STATUS, [P, P]],
  CreateTensorRTOptions: [171, STATUS, [P]],
  UpdateTensorRTOptions: [172, STATUS, [P, P, P, SIZE]],
  ReleaseTensorRTOptions: [174, 'void', [P]],
  AppendCuda: [204, STATUS, [P, P]],
  CreateCudaOptions: [205, STATUS, [P]],
  UpdateCudaOptions: [206, STATUS, [P, P, P, SIZE]],
  ReleaseCudaOptions: [208, 'void', [P]],
  GetResizedStringTensorElementBuffer: [252, STATUS, [P, SIZE, SIZE, P]],
  GetTensorSizeInBytes: [318, STATUS, [P, P]],
  Session_GetEpGraphAssignmentInfo: [407, STATUS, [P, P, P]],
  EpAssignedSubgraph_GetEpName: [408, STATUS, [P, P]],
  EpAssignedSubgraph_GetNodes: [409, STATUS, [P, P, P]],
  GetTensorElementTypeAndShapeDataReference: [414, STATUS, [P, P, P, P]],
} as const satisfies Record<string, readonly [number, string, readonly string[]]>;

export type FunctionName = keyof typeof FUNCTIONS;
