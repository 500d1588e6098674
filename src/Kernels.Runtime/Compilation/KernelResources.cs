namespace Kernels.Runtime;

/// <summary>What the assembler reported about a kernel. Bytes; loads and stores of spills are those of a thread.</summary>
/// <param name="LoweredName">Name of the kernel in the code.</param>
/// <param name="Architecture">Architecture it was assembled for.</param>
/// <param name="Registers">Registers a thread.</param>
/// <param name="SharedBytes">Static shared memory a block.</param>
/// <param name="StackBytes">Stack frame a thread: local memory.</param>
/// <param name="SpillStoreBytes">Bytes stored by spills.</param>
/// <param name="SpillLoadBytes">Bytes loaded by spills.</param>
/// <param name="ConstantBytes">Constant memory, parameters included.</param>
/// <param name="Barriers">Named barriers in use.</param>
public sealed record KernelResources(
    string LoweredName, string Architecture, int Registers, int SharedBytes, int StackBytes, int SpillStoreBytes, int SpillLoadBytes,
    int ConstantBytes, int Barriers);
