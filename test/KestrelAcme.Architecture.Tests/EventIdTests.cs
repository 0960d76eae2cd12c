using System.Reflection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>Event ids are part of what operators build alerts on: unique, and in the block of their folder.</summary>
public sealed class EventIdTests
{
    private const int BlockSize = 100;

    private static readonly Dictionary<string, int> BlockOfAssembly = new() { ["KestrelAcme.LocalAuthority"] = 9000 };

    private const string Suffix = "Log";

    private static readonly List<(string Assembly, string? Folder, string Method, int Id)> Events =
    [
        .. from file in Directory.EnumerateFiles(AppContext.BaseDirectory, "KestrelAcme*.dll")
           where !file.EndsWith(".Tests.dll", StringComparison.Ordinal)
           from type in Assembly.LoadFrom(file).GetTypes()
           from method in type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
           where attribute is not null
           select (Path.GetFileNameWithoutExtension(file), FolderOf(type), $"{type.FullName}.{method.Name}", attribute.EventId),
    ];

    [Fact]
    public void EventIds_AllProducts_AreUnique()
    {
        var twice = Events.GroupBy(entry => entry.Id).Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(entry => entry.Method))}");

        Violations.None("An event id is used once", twice);
    }

    [Fact]
    public void EventIds_AllProducts_AreInTheirBlock()
    {
        var wrong = Events.Where(entry => FirstOf(entry.Assembly, entry.Folder) is not { } first || entry.Id < first || entry.Id >= first + BlockSize)
            .Select(entry => $"{entry.Method} has {entry.Id}; its block starts at {FirstOf(entry.Assembly, entry.Folder)} (where there is no number: log nothing, or give it a block here)");

        Violations.None("An event id lies in its block", wrong);
    }

    // The messages of a folder lie in it, or together with the others' in Diagnostics, in a class <Folder>Log.
    private static string? FolderOf(Type type)
    {
        var folder = FolderPlan.FolderOf(type.Namespace ?? "");
        return folder == "Diagnostics" && type.Name.EndsWith(Suffix, StringComparison.Ordinal) ? type.Name[..^Suffix.Length] : folder;
    }

    private static int? FirstOf(string assembly, string? folder) => assembly == "KestrelAcme"
        ? FolderPlan.All.FirstOrDefault(plan => plan.Folder == folder)?.FirstEventId
        : BlockOfAssembly.TryGetValue(assembly, out var first) ? first : null;
}
