using System.Text;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>Reads what a program writes to its end, so that it never blocks, and keeps the last of it.</summary>
internal static class OutputTail
{
    private const int Kept = 2000;

    public static async Task<string> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        var tail = new StringBuilder();
        var buffer = new char[1024];
        int length;
        while ((length = await reader.ReadAsync(buffer, cancellationToken)) > 0)
        {
            tail.Append(buffer, 0, length);
            if (tail.Length > Kept)
            {
                tail.Remove(0, tail.Length - Kept);
            }
        }

        return tail.ToString();
    }
}
