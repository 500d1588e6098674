namespace Kernels.Formats;

/// <summary>A model file is truncated, corrupt, hostile or of a kind this library does not read. Says which file, which tensor or group, and why.</summary>
public sealed class InvalidModelException : FormatException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="file">Path of the file, or null where the data does not come from one.</param>
    /// <param name="tensor">Name of the tensor, group or field, or null where the whole file is meant.</param>
    /// <param name="reason">What is wrong, with the value found and the limit it breaks.</param>
    /// <param name="innerException">The cause, if another exception reported it.</param>
    public InvalidModelException(string? file, string? tensor, string reason, Exception? innerException = null)
        : base(Compose(file, tensor, reason), innerException)
    {
        File = file;
        Tensor = tensor;
        Reason = reason;
    }

    /// <summary>Path of the file at fault, or null where the data does not come from one.</summary>
    public string? File { get; }

    /// <summary>Name of the tensor, group or field at fault, or null where the whole file is meant.</summary>
    public string? Tensor { get; }

    /// <summary>What is wrong, with the value found and the limit it breaks.</summary>
    public string Reason { get; }

    // Names come from the file: they are shown as TensorName.Printable makes them.
    private static string Compose(string? file, string? tensor, string reason)
    {
        string message = tensor is null ? reason : $"'{TensorName.Printable(tensor)}': {reason}";
        return file is null ? message : $"{file}: {message}";
    }
}
