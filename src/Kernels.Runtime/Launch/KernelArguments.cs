using System.Runtime.CompilerServices;

namespace Kernels.Runtime;

/// <summary>
/// Arguments of a launch, built one by one on the stack: up to <see cref="MaxCount"/> of together <see cref="Capacity"/> bytes.
/// For kernels with more parameters than <see cref="Kernel"/>'s generic launches take, or whose number varies.
/// </summary>
public unsafe ref struct KernelArguments
{
    /// <summary>Bytes that fit, each argument rounded up to 8.</summary>
    public const int Capacity = 1024;

    /// <summary>Arguments that fit.</summary>
    public const int MaxCount = 64;

    private fixed byte _values[Capacity];
    private fixed ushort _offsets[MaxCount];
    private fixed ushort _sizes[MaxCount];
    private int _used;

    /// <summary>Arguments so far.</summary>
    public int Count { get; private set; }

    /// <summary>Adds an argument; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="InvalidOperationException">There is no room for it.</exception>
    public void Add<T>(T value)
        where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        if (Count == MaxCount || _used + size > Capacity)
        {
            throw new InvalidOperationException(
                $"Argument {Count} of {size} bytes does not fit: {Count} of {MaxCount} arguments and {_used} of {Capacity} bytes are taken.");
        }

        Unsafe.WriteUnaligned(ref _values[_used], value);
        _offsets[Count] = (ushort)_used;
        _sizes[Count] = (ushort)KernelArgument<T>.Size;
        Count++;
        _used = Math.Min(Capacity, (_used + size + 7) & ~7);
    }

    /// <summary>Writes one pointer an argument. The struct lies on the stack and does not move while the launch runs.</summary>
    internal readonly void GetPointers(void** pointers, uint* sizes)
    {
        for (int i = 0; i < Count; i++)
        {
            pointers[i] = Unsafe.AsPointer(ref Unsafe.AsRef(in _values[_offsets[i]]));
            sizes[i] = _sizes[i];
        }
    }
}
