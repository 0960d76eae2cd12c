using System.Globalization;
using System.Text;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>A critical section that was entered. The lock file also keeps the last number given out, apart from the record, so that numbers never go down.</summary>
internal sealed class FileLock(FileStream file, SemaphoreSlim gate) : IDisposable
{
    private const int NumberLength = 20;

    /// <summary>The number that the file holds: 0 when it is new, <see langword="null"/> when it cannot be understood.</summary>
    public long? ReadNumber()
    {
        Span<byte> text = stackalloc byte[NumberLength];
        var length = RandomAccess.Read(file.SafeFileHandle, text, fileOffset: 0);
        return length == 0 ? 0
            : long.TryParse(text[..length], NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= LeaseRecord.MaxFencingNumber ? number
            : null;
    }

    /// <summary>Not flushed to the disk: the record is, and this is its second copy.</summary>
    public void WriteNumber(long number)
    {
        // Always of one length: nothing of an older number can remain behind it.
        var text = Encoding.ASCII.GetBytes(number.ToString("D19", CultureInfo.InvariantCulture) + "\n");
        RandomAccess.Write(file.SafeFileHandle, text, fileOffset: 0);
    }

    public void Dispose()
    {
        file.Dispose();
        gate.Release();
    }
}
