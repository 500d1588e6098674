using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Kernels.Formats.Tests")]
