// cuStream*Capture*.
#include "api.h"
#include "capture.h"

using namespace simulator::driver;

namespace {

void check_mode(CUstreamCaptureMode mode) {
  if (mode < CU_STREAM_CAPTURE_MODE_GLOBAL || mode > CU_STREAM_CAPTURE_MODE_RELAXED)
    fail(CUDA_ERROR_INVALID_VALUE, "capture mode %d does not exist", static_cast<int>(mode));
}

}  // namespace

SIMULATOR_API cuStreamBeginCapture_v2(CUstream hStream, CUstreamCaptureMode mode) {
  return api("cuStreamBeginCapture_v2", [&] {
    check_mode(mode);
    begin_capture(stream_of(hStream), mode);
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamEndCapture(CUstream hStream, CUgraph* phGraph) {
  return api("cuStreamEndCapture", [&] {
    require_pointer(phGraph, "phGraph");
    *phGraph = nullptr;
    *phGraph = end_capture(stream_of(hStream))->handle;
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamIsCapturing(CUstream hStream, CUstreamCaptureStatus* captureStatus) {
  return api("cuStreamIsCapturing", [&] {
    require_pointer(captureStatus, "captureStatus");
    *captureStatus = capture_status(*stream_of(hStream));
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuStreamGetCaptureInfo_v2(CUstream hStream, CUstreamCaptureStatus* captureStatus_out, cuuint64_t* id_out,
                                        CUgraph* graph_out, const CUgraphNode** dependencies_out,
                                        size_t* numDependencies_out) {
  return api("cuStreamGetCaptureInfo_v2", [&] {
    require_pointer(captureStatus_out, "captureStatus_out");
    const StreamPointer stream = stream_of(hStream);
    *captureStatus_out = capture_status(*stream);
    if (*captureStatus_out != CU_STREAM_CAPTURE_STATUS_ACTIVE) return CUDA_SUCCESS;
    std::lock_guard lock(capture_mutex());
    Capture& capture = *stream->capture;
    if (id_out) *id_out = capture.id;
    if (graph_out) *graph_out = capture.graph->handle;
    capture.reported_tail.clear();
    for (const NodePointer& node : stream->capture_tail) capture.reported_tail.push_back(node->handle);
    if (dependencies_out) *dependencies_out = capture.reported_tail.data();
    if (numDependencies_out) *numDependencies_out = capture.reported_tail.size();
    return CUDA_SUCCESS;
  });
}

SIMULATOR_API cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
  return api("cuThreadExchangeStreamCaptureMode", [&] {
    require_pointer(mode, "mode");
    check_mode(*mode);
    *mode = exchange_thread_mode(*mode);
    return CUDA_SUCCESS;
  });
}
