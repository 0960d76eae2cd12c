using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>Edits a zone, as an operator does.</summary>
internal static class BindEdit
{
    /// <summary>Adds one record in zone-file notation: <c>name. TYPE value</c>.</summary>
    public static async Task AddAsync(BindServer bind, string zone, string line, CancellationToken cancellationToken)
    {
        var (name, type, value) = line.Split(' ', 3) is [var n, var t, var v] ? (n, t, v) : throw new FormatException(line);
        var script = $"server {bind.Address.Address} {bind.Address.Port}\nzone {zone}\n"
            + $"key {bind.TsigAlgorithm}:{bind.TsigKeyName} {bind.TsigSecret}\nupdate add {name} 5 {type} {value}\nsend\n";
        using var folder = new KestrelAcme.Testing.TemporaryFolder();
        await Command.RunToSuccessAsync("nsupdate", [folder.Write("script", script)], cancellationToken: cancellationToken);
    }
}
