namespace KestrelAcme.Architecture.Tests.Samples.Inner;

/// <summary>What <see cref="Outer.OnlyInBody"/> and its siblings mention, for <see cref="Metadata.AssemblyTypesTests"/> to find.</summary>
internal sealed class Target
{
    public static int Count => 1;
}
