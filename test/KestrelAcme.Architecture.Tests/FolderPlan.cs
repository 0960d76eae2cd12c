namespace KestrelAcme.Architecture.Tests;

/// <summary>What a folder of src/KestrelAcme holds may use, and which block of event ids is its own.</summary>
/// <param name="Folder">Its name, which is the namespace under KestrelAcme.</param>
/// <param name="MayUse">Other folders.</param>
/// <param name="Assemblies">Other products.</param>
/// <param name="FirstEventId">The block is this and the 99 after it.</param>
internal sealed record FolderPlan(string Folder, string[] MayUse, string[] Assemblies, int FirstEventId)
{
    private const string Protocol = "KestrelAcme.Protocol";
    private const string DnsClient = "KestrelAcme.DnsClient";

    /// <summary>The plan, from the top down.</summary>
    public static IReadOnlyList<FolderPlan> All { get; } =
    [
        new("Hosting", ["Certificates", "Challenges", "Tls", "Storage", "Configuration", "Diagnostics"], [Protocol, DnsClient], 1000),
        new("Certificates", ["Challenges", "Storage", "Tls", "Configuration", "Diagnostics"], [Protocol], 1100),
        new("Challenges", ["Storage", "Tls", "Configuration", "Diagnostics"], [Protocol, DnsClient], 1200),
        new("Tls", ["Diagnostics"], [], 1300),
        new("Storage", ["Diagnostics"], [], 1400),
        new("Configuration", ["Diagnostics"], [], 1500),
        new("Diagnostics", [], [], 1600),
    ];

    /// <summary>The folder that a namespace of KestrelAcme belongs to; null for one that is none of ours.</summary>
    public static string? FolderOf(string name)
    {
        if (name is "Microsoft.Extensions.DependencyInjection" or "Microsoft.AspNetCore.Builder" or "Microsoft.AspNetCore.Hosting")
        {
            return "Hosting"; // Extension methods for callers to find.
        }

        var parts = name.Split('.');
        return parts[0] != "KestrelAcme" ? null : parts.ElementAtOrDefault(1) ?? "(root)";
    }
}
