namespace KestrelAcme.Fuzz;

/// <summary>One reader of bytes that come from strangers.</summary>
/// <param name="name">Its name, and that of its folder in the corpus.</param>
/// <param name="read">Reads the input. Throws only what the reader documents.</param>
/// <param name="isExpected">Whether an exception is one that the reader documents for input that it refuses.</param>
public sealed class FuzzTarget(string name, FuzzTarget.Reader read, Func<Exception, bool> isExpected)
{
    /// <summary>Reads one input.</summary>
    public delegate void Reader(ReadOnlySpan<byte> input);

    /// <summary>Its name.</summary>
    public string Name { get; } = name;

    /// <summary>Reads the input. Every exception that comes out is a defect.</summary>
    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            read(input);
        }
        catch (Exception exception) when (isExpected(exception))
        {
            // Refused as documented.
        }
    }

    /// <summary>Returns the name.</summary>
    public override string ToString() => Name;
}
