namespace Kernels.Native;

// Opaque handles of cuda.h and nvrtc.h as structs over the integer they are, so that they pass through P/Invoke as they
// stand and cannot be mixed up. Each converts explicitly from and to that integer through its Value.

/// <summary>A context: the address space, modules and streams of a process on a device.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUcontext(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A loaded module.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUmodule(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A kernel of a module.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUfunction(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A stream; 0 is the default stream of the calling convention in use.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUstream(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>An event.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUevent(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A memory pool of the driver.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUmemoryPool(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A graph under construction.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUgraph(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A node of a graph.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUgraphNode(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>An executable graph.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUgraphExec(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A CUDA array (appears in copy descriptors only).</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUarray(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A kernel of a library that is not bound to a context.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct CUkernel(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A device.</summary>
/// <param name="Value">The raw value.</param>
public readonly record struct CUdevice(int Value);

/// <summary>An address in device memory.</summary>
/// <param name="Value">The raw value.</param>
public readonly record struct CUdeviceptr(ulong Value)
{
    /// <summary>The address <paramref name="bytes"/> bytes further on.</summary>
    public static CUdeviceptr operator +(CUdeviceptr pointer, long bytes) => new(unchecked(pointer.Value + (ulong)bytes));

    /// <summary>The address in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}

/// <summary>A program of NVRTC.</summary>
/// <param name="Value">The raw handle.</param>
public readonly record struct nvrtcProgram(nint Value)
{
    /// <summary>The handle in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";
}
