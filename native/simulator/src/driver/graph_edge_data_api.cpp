// The forms of CUDA 12.3 that carry data with each edge. All edges here are plain: their data is zero.
#include <algorithm>
#include <cstring>

#include "api.h"

using namespace simulator::driver;

extern "C" {
CUresult cuStreamGetCaptureInfo_v2(CUstream, CUstreamCaptureStatus*, cuuint64_t*, CUgraph*, const CUgraphNode**,
                                   size_t*);
CUresult cuGraphGetEdges(CUgraph, CUgraphNode*, CUgraphNode*, size_t*);
CUresult cuGraphNodeGetDependencies(CUgraphNode, CUgraphNode*, size_t*);
CUresult cuGraphNodeGetDependentNodes(CUgraphNode, CUgraphNode*, size_t*);
CUresult cuGraphAddDependencies(CUgraph, const CUgraphNode*, const CUgraphNode*, size_t);
CUresult cuGraphRemoveDependencies(CUgraph, const CUgraphNode*, const CUgraphNode*, size_t);
}

namespace {

bool plain(const CUgraphEdgeData* data, size_t count) {
  const CUgraphEdgeData zero{};
  return !data || std::all_of(data, data + count,
                              [&](const CUgraphEdgeData& each) { return std::memcmp(&each, &zero, sizeof zero) == 0; });
}

CUresult refuse(const char* call) {
  return report_failure(call, CUDA_ERROR_NOT_SUPPORTED, "programmatic dependencies are not simulated");
}

CUresult put_plain(CUresult result, CUgraphEdgeData* data, const size_t* count) {
  if (result == CUDA_SUCCESS && data) std::fill_n(data, *count, CUgraphEdgeData{});
  return result;
}

}  // namespace

SIMULATOR_API cuStreamGetCaptureInfo_v3(CUstream hStream, CUstreamCaptureStatus* captureStatus_out, cuuint64_t* id_out,
                                        CUgraph* graph_out, const CUgraphNode** dependencies_out,
                                        const CUgraphEdgeData** edgeData_out, size_t* numDependencies_out) {
  if (edgeData_out) *edgeData_out = nullptr;  // null: all plain
  return cuStreamGetCaptureInfo_v2(hStream, captureStatus_out, id_out, graph_out, dependencies_out,
                                   numDependencies_out);
}

SIMULATOR_API cuGraphGetEdges_v2(CUgraph hGraph, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData* edgeData,
                                 size_t* numEdges) {
  return put_plain(cuGraphGetEdges(hGraph, from, to, numEdges), edgeData, numEdges);
}

SIMULATOR_API cuGraphNodeGetDependencies_v2(CUgraphNode hNode, CUgraphNode* dependencies, CUgraphEdgeData* edgeData,
                                            size_t* numDependencies) {
  return put_plain(cuGraphNodeGetDependencies(hNode, dependencies, numDependencies), edgeData, numDependencies);
}

SIMULATOR_API cuGraphNodeGetDependentNodes_v2(CUgraphNode hNode, CUgraphNode* dependentNodes, CUgraphEdgeData* edgeData,
                                              size_t* numDependentNodes) {
  return put_plain(cuGraphNodeGetDependentNodes(hNode, dependentNodes, numDependentNodes), edgeData, numDependentNodes);
}

SIMULATOR_API cuGraphAddDependencies_v2(CUgraph hGraph, const CUgraphNode* from, const CUgraphNode* to,
                                        const CUgraphEdgeData* edgeData, size_t numDependencies) {
  if (!plain(edgeData, numDependencies)) return refuse("cuGraphAddDependencies_v2");
  return cuGraphAddDependencies(hGraph, from, to, numDependencies);
}

SIMULATOR_API cuGraphRemoveDependencies_v2(CUgraph hGraph, const CUgraphNode* from, const CUgraphNode* to,
                                           const CUgraphEdgeData* edgeData, size_t numDependencies) {
  if (!plain(edgeData, numDependencies)) return refuse("cuGraphRemoveDependencies_v2");
  return cuGraphRemoveDependencies(hGraph, from, to, numDependencies);
}
