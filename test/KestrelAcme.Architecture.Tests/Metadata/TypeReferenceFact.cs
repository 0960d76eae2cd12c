namespace KestrelAcme.Architecture.Tests.Metadata;

/// <summary>A type mentions another. Nested and generated types count as their outermost one.</summary>
/// <param name="From">Full name of the type that mentions.</param>
/// <param name="FromNamespace">Its namespace.</param>
/// <param name="To">Full name of the type mentioned.</param>
/// <param name="ToNamespace">Its namespace.</param>
/// <param name="ToAssembly">The simple name of its assembly.</param>
internal sealed record TypeReferenceFact(string From, string FromNamespace, string To, string ToNamespace, string ToAssembly);
