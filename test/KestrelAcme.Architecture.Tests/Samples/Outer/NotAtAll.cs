namespace KestrelAcme.Architecture.Tests.Samples.Outer;

/// <summary>Mentions <see cref="Inner.Target"/> in a comment alone.</summary>
internal static class NotAtAll
{
    public static int Read() => 0;
}
