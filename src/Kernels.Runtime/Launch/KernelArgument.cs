using System.Runtime.CompilerServices;

namespace Kernels.Runtime;

/// <summary>A type that a kernel sees as something smaller than itself.</summary>
internal interface IPassedAsPointer;

/// <summary>How many bytes of a value a kernel parameter takes.</summary>
internal static class KernelArgument<T>
    where T : unmanaged
{
    /// <summary>A <see cref="DeviceSpan{T}"/> is passed as its pointer, which is its first field; everything else as it stands.</summary>
    public static readonly uint Size = typeof(IPassedAsPointer).IsAssignableFrom(typeof(T)) ? 8u : (uint)Unsafe.SizeOf<T>();
}
