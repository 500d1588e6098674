namespace Kernels.Runtime;

// Launches with typed arguments. A parameter of the method lies on the stack, so that its address can be handed to the driver as
// it stands: nothing is boxed, pinned or allocated.
public sealed unsafe partial class Kernel
{
    /// <summary>Launches the kernel without arguments.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch(Stream stream, in LaunchConfig config) =>
        LaunchRaw(stream, config, null, null, 0);

    /// <summary>Launches the kernel with 1 argument; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1>(Stream stream, in LaunchConfig config, T1 a1)
        where T1 : unmanaged
    {
        void** arguments = stackalloc void*[1] { &a1 };
        uint* sizes = stackalloc uint[1] { KernelArgument<T1>.Size };
        LaunchRaw(stream, config, arguments, sizes, 1);
    }

    /// <summary>Launches the kernel with 2 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2>(Stream stream, in LaunchConfig config, T1 a1, T2 a2)
        where T1 : unmanaged where T2 : unmanaged
    {
        void** arguments = stackalloc void*[2] { &a1, &a2 };
        uint* sizes = stackalloc uint[2] { KernelArgument<T1>.Size, KernelArgument<T2>.Size };
        LaunchRaw(stream, config, arguments, sizes, 2);
    }

    /// <summary>Launches the kernel with 3 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3>(Stream stream, in LaunchConfig config, T1 a1, T2 a2, T3 a3)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged
    {
        void** arguments = stackalloc void*[3] { &a1, &a2, &a3 };
        uint* sizes = stackalloc uint[3] { KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size };
        LaunchRaw(stream, config, arguments, sizes, 3);
    }

    /// <summary>Launches the kernel with 4 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4>(Stream stream, in LaunchConfig config, T1 a1, T2 a2, T3 a3, T4 a4)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged
    {
        void** arguments = stackalloc void*[4] { &a1, &a2, &a3, &a4 };
        uint* sizes = stackalloc uint[4] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 4);
    }

    /// <summary>Launches the kernel with 5 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5>(Stream stream, in LaunchConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
    {
        void** arguments = stackalloc void*[5] { &a1, &a2, &a3, &a4, &a5 };
        uint* sizes = stackalloc uint[5] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 5);
    }

    /// <summary>Launches the kernel with 6 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6>(Stream stream, in LaunchConfig config, T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged
    {
        void** arguments = stackalloc void*[6] { &a1, &a2, &a3, &a4, &a5, &a6 };
        uint* sizes = stackalloc uint[6] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 6);
    }

    /// <summary>Launches the kernel with 7 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged
    {
        void** arguments = stackalloc void*[7] { &a1, &a2, &a3, &a4, &a5, &a6, &a7 };
        uint* sizes = stackalloc uint[7] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 7);
    }

    /// <summary>Launches the kernel with 8 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged where T8 : unmanaged
    {
        void** arguments = stackalloc void*[8] { &a1, &a2, &a3, &a4, &a5, &a6, &a7, &a8 };
        uint* sizes = stackalloc uint[8] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size, KernelArgument<T8>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 8);
    }

    /// <summary>Launches the kernel with 9 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged where T8 : unmanaged where T9 : unmanaged
    {
        void** arguments = stackalloc void*[9] { &a1, &a2, &a3, &a4, &a5, &a6, &a7, &a8, &a9 };
        uint* sizes = stackalloc uint[9] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size, KernelArgument<T8>.Size,
            KernelArgument<T9>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 9);
    }

    /// <summary>Launches the kernel with 10 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged where T8 : unmanaged where T9 : unmanaged where T10 : unmanaged
    {
        void** arguments = stackalloc void*[10] { &a1, &a2, &a3, &a4, &a5, &a6, &a7, &a8, &a9, &a10 };
        uint* sizes = stackalloc uint[10] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size, KernelArgument<T8>.Size,
            KernelArgument<T9>.Size, KernelArgument<T10>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 10);
    }

    /// <summary>Launches the kernel with 11 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged where T8 : unmanaged where T9 : unmanaged where T10 : unmanaged
        where T11 : unmanaged
    {
        void** arguments = stackalloc void*[11] { &a1, &a2, &a3, &a4, &a5, &a6, &a7, &a8, &a9, &a10, &a11 };
        uint* sizes = stackalloc uint[11] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size, KernelArgument<T8>.Size,
            KernelArgument<T9>.Size, KernelArgument<T10>.Size, KernelArgument<T11>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 11);
    }

    /// <summary>Launches the kernel with 12 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged where T8 : unmanaged where T9 : unmanaged where T10 : unmanaged
        where T11 : unmanaged where T12 : unmanaged
    {
        void** arguments = stackalloc void*[12] { &a1, &a2, &a3, &a4, &a5, &a6, &a7, &a8, &a9, &a10, &a11, &a12 };
        uint* sizes = stackalloc uint[12] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size, KernelArgument<T8>.Size,
            KernelArgument<T9>.Size, KernelArgument<T10>.Size, KernelArgument<T11>.Size, KernelArgument<T12>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 12);
    }

    /// <summary>Launches the kernel with 13 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged where T8 : unmanaged where T9 : unmanaged where T10 : unmanaged
        where T11 : unmanaged where T12 : unmanaged where T13 : unmanaged
    {
        void** arguments = stackalloc void*[13] { &a1, &a2, &a3, &a4, &a5, &a6, &a7, &a8, &a9, &a10, &a11, &a12, &a13 };
        uint* sizes = stackalloc uint[13] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size, KernelArgument<T8>.Size,
            KernelArgument<T9>.Size, KernelArgument<T10>.Size, KernelArgument<T11>.Size, KernelArgument<T12>.Size,
            KernelArgument<T13>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 13);
    }

    /// <summary>Launches the kernel with 14 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13, T14 a14)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged where T8 : unmanaged where T9 : unmanaged where T10 : unmanaged
        where T11 : unmanaged where T12 : unmanaged where T13 : unmanaged where T14 : unmanaged
    {
        void** arguments = stackalloc void*[14] { &a1, &a2, &a3, &a4, &a5, &a6, &a7, &a8, &a9, &a10, &a11, &a12, &a13, &a14 };
        uint* sizes = stackalloc uint[14] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size, KernelArgument<T8>.Size,
            KernelArgument<T9>.Size, KernelArgument<T10>.Size, KernelArgument<T11>.Size, KernelArgument<T12>.Size,
            KernelArgument<T13>.Size, KernelArgument<T14>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 14);
    }

    /// <summary>Launches the kernel with 15 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13, T14 a14, T15 a15)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged where T8 : unmanaged where T9 : unmanaged where T10 : unmanaged
        where T11 : unmanaged where T12 : unmanaged where T13 : unmanaged where T14 : unmanaged where T15 : unmanaged
    {
        void** arguments = stackalloc void*[15] { &a1, &a2, &a3, &a4, &a5, &a6, &a7, &a8, &a9, &a10, &a11, &a12, &a13, &a14, &a15 };
        uint* sizes = stackalloc uint[15] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size, KernelArgument<T8>.Size,
            KernelArgument<T9>.Size, KernelArgument<T10>.Size, KernelArgument<T11>.Size, KernelArgument<T12>.Size,
            KernelArgument<T13>.Size, KernelArgument<T14>.Size, KernelArgument<T15>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 15);
    }

    /// <summary>Launches the kernel with 16 arguments; a <see cref="DeviceSpan{T}"/> is passed as its pointer.</summary>
    /// <exception cref="ArgumentException">Number or size of the arguments differs from the kernel's parameters.</exception>
    /// <exception cref="CudaException">The launch failed.</exception>
    public void Launch<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16>(
        Stream stream, in LaunchConfig config,
        T1 a1, T2 a2, T3 a3, T4 a4, T5 a5, T6 a6, T7 a7, T8 a8, T9 a9, T10 a10, T11 a11, T12 a12, T13 a13, T14 a14, T15 a15, T16 a16)
        where T1 : unmanaged where T2 : unmanaged where T3 : unmanaged where T4 : unmanaged where T5 : unmanaged
        where T6 : unmanaged where T7 : unmanaged where T8 : unmanaged where T9 : unmanaged where T10 : unmanaged
        where T11 : unmanaged where T12 : unmanaged where T13 : unmanaged where T14 : unmanaged where T15 : unmanaged
        where T16 : unmanaged
    {
        void** arguments = stackalloc void*[16] {
            &a1, &a2, &a3, &a4, &a5, &a6, &a7, &a8, &a9, &a10, &a11, &a12, &a13, &a14, &a15, &a16
        };
        uint* sizes = stackalloc uint[16] {
            KernelArgument<T1>.Size, KernelArgument<T2>.Size, KernelArgument<T3>.Size, KernelArgument<T4>.Size,
            KernelArgument<T5>.Size, KernelArgument<T6>.Size, KernelArgument<T7>.Size, KernelArgument<T8>.Size,
            KernelArgument<T9>.Size, KernelArgument<T10>.Size, KernelArgument<T11>.Size, KernelArgument<T12>.Size,
            KernelArgument<T13>.Size, KernelArgument<T14>.Size, KernelArgument<T15>.Size, KernelArgument<T16>.Size
        };
        LaunchRaw(stream, config, arguments, sizes, 16);
    }
}
